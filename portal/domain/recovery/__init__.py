"""What gets stuck work going again: failed exports, a closed web service, standing still, a wrong clock."""
