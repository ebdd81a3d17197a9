"""What both services need and what knows no clinic."""
