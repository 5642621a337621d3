"""`python -m cortex` is the command `cortex`."""

import sys

from cortex.cli.entry import main

sys.exit(main())
