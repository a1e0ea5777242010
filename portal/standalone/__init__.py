"""What `portal up` is made of: everything on one machine."""
