"""What a deploy is and what may happen to it: pure rules, standard library only, no clock, no I/O."""
