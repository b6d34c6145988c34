"""`python -m realtime_bokeh` is the command `realtime-bokeh`."""

from realtime_bokeh.cli import main

main()
