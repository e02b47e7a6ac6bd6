"""Where everything is kept: the journal, snapshots written with it, step claims, output, postings."""
