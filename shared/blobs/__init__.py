"""Files. `port` says what a bucket promises."""
