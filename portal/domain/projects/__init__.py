"""What the project team and upstream systems do: write, correct and send change orders."""
