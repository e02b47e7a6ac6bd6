"""What any door shares: the grammar of what people type, the words of what they read, cards without a surface."""
