"""Icons and splash, and the program that draws them."""
