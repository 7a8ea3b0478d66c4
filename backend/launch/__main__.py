"""`python -m backend.launch`: what `make run` calls once everything is installed."""

import sys

from backend.launch.start import main

sys.exit(main())
