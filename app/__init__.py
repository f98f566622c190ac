"""The app: a phone that hears how you feel, with no network."""
