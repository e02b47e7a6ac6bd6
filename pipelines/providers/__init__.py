"""What a deploy asks of the world for its scripts. A module each: secrets."""
