"""What the screens are made of. Every widget is told its look when it is made."""
