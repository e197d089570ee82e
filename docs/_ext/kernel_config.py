"""Settings of the kernels that run the pages."""

from ipykernel.iostream import OutStream

# What a cell prints comes in one piece, when the cell is done. A piece that ended within a
# line would be shown as a line of its own.
OutStream.flush_interval = 3600

c = get_config()  # noqa: F821
c.HistoryManager.enabled = False
c.InlineBackend.figure_formats = {"svg"}
c.InlineBackend.print_figure_kwargs = {"bbox_inches": "tight", "metadata": {"Date": None}}
