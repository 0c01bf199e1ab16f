"""Facts that a text log states about its run: its length, its failure and its end."""
