"""`python -m backend.launch`: the entry point of `make run` after installation."""

import sys

from backend.launch.start import main

sys.exit(main())
