/* The floor of every preloaded library: one that does nothing. */
