# /// script
# requires-python = ">=3.11"
# dependencies = ["torch", "matplotlib", "linreg-tutorial"]
#
# [tool.uv.sources]
# linreg-tutorial = { path = "linreg_tutorial-0.1.0-py3-none-any.whl" }
# ///
# linreg-tutorial is the course's own package: download its wheel from the page of this script
# and run
#     python -m pip install ./linreg_tutorial-0.1.0-py3-none-any.whl

r"""Watch the line move
===================

Play a fit as a film: the line on its way to the points, and the error on its way to zero.

A table of numbers does not move. Here you see what each step does to the line. You also see how
little the last steps do.
"""

import math

import matplotlib.pyplot as plt
from matplotlib.animation import FuncAnimation

import linreg_tutorial as lt
from linreg_tutorial import plots

# %%
# Choose what to show
# -------------------
#
# The fit takes 100 steps. The first ones change much, so you show each of them. Later ones change
# little, so you show fewer and fewer.

x, t = lt.two_points()
history = lt.fit_manual(x, t, a=1.0, b=0.0, lr=0.1, steps=100)
shown_steps = [*range(13), 14, 17, 20, 25, 30, 40, 50, 60, 70, 85, 100]
print("frames:", len(shown_steps))
for k in (0, 1, 2, 12, 100):
    state = history[k]
    print(f"step {k:3}: y = {state.a:.4f}·x + {state.b:.4f}, e = {state.error:.4f}")

# %%
# Draw one frame
# --------------
#
# ``draw`` gets the number of a frame, wipes both pictures and draws them anew. So the frames may be
# asked for in any order. :class:`matplotlib.animation.FuncAnimation` calls it for each frame. Keep
# the result in a variable: when nothing holds it, the film stops.
#
# Look at the left side first. The dashed segments are what the line misses. They shrink in two
# steps, and after that you can hardly see the line move. Then look at the dot on the right. Each
# number on the upright axis is ten times the one below, and there the error is seen to fall still.

fig, (left, right) = plt.subplots(
    ncols=2,
    num="A film in two parts: the line moves to the points while the error falls along its curve.",
    figsize=(5.2, 3.2),
    layout="constrained",
)


def draw(frame):
    """Draw the fit after the step that this frame shows."""
    state = history[shown_steps[frame]]
    left.clear()
    plots.plot_line(left, state.a, state.b)
    plots.plot_residuals(left, x, t, state.a, state.b)
    plots.plot_points(left, x, t)
    left.text(5.8, 0.3, f"step {state.step}", ha="right")
    right.clear()
    plots.plot_error(right, history, color=plots.colour("residual"), linewidth=1)
    right.plot(state.step, state.error, color=plots.colour("line"), marker="o", markersize=8)
    right.text(100, 5, f"e = {state.error:.4f}", ha="right", va="center")


animation = FuncAnimation(fig, draw, frames=len(shown_steps), interval=400, repeat=False)
fig.canvas.draw()  # The first frame, also where no window opens.
plt.show()

# %%
# What you learned
# ----------------
#
# - The steeper the error, the larger the step. Far away the line leaps, close by it creeps.
# - A line that seems to stand may still be learning. Ask the error, not your eyes.
#
# The last lines check the first step and the last one against the numbers found by hand.

assert len(history) == 101 and shown_steps[-1] == history.steps
for state, a, b in ((history[1], 1.8, 0.5), (history[-1], 2.0393, 0.9364)):
    assert math.isclose(state.a, a, abs_tol=5e-5) and math.isclose(state.b, b, abs_tol=5e-5)
