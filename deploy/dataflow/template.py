"""What the launcher of the Flex template runs. Defines nothing: what is defined here would be packed by value."""

import sys

from pipeline.dataflow.template import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
