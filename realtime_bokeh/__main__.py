"""`python -m realtime_bokeh` is the command `realtime-bokeh`."""

from realtime_bokeh.app.main import main

main()
