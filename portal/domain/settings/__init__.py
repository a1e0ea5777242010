"""What an administrator sets, and tries out: the company, the sign-in at Spectrum, its lists."""
