"""One load driven by several processes, on one machine or many."""
