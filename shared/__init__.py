"""What two services or more use today, and that holds no rule about a fiche; entry conditions in README.md."""
