"""How an accepted change order gets into Spectrum, once."""
