"""The app on a desktop: `python -m app`, or with a file in place of the microphone."""

from app.main import main

if __name__ == "__main__":
    raise SystemExit(main())
