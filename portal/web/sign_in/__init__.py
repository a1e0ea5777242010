"""Pages on which a person proves who they are, and their own profile."""
