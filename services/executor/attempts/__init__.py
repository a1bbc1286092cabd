"""One attempt from prepared order to collected result. `attempts` drives; the rest are its parts."""
