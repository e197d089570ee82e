"""Settings of the site. What is code stands in _ext/, one extension a concern."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "PyTorch's gradients, step by step"
author = "The linreg-tutorial authors"
project_copyright = "the linreg-tutorial authors. Text CC BY 4.0, code BSD-3-Clause"
html_title = project
language = "en"

extensions = [
    "freshness",
    "kernels",
    "gallery_runs",
    "checked_numbers",
    "failures",
    "message_index",
    "answers",
    "exercises",
    "mathml",
    "figures",
    "step_through",
    "playground",
    "glossary_links",
    "stacked_tables",
    "lean_pages",
    "local_inventories",
    "downloads",
    "source_links",
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_vendor", "gallery/*.ipynb", "gallery/*.py", "**/GALLERY_HEADER.rst"]
templates_path = ["_templates"]
# It would look at the whole path, and a clone may well lie in a folder with a space.
suppress_warnings = ["sphinx_gallery.space_in_filename"]

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath", "smartquotes"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_show_tb = True
nb_execution_timeout = 120
nb_merge_streams = True
nb_code_prompt_show = "Show the {type}"
nb_code_prompt_hide = "Hide the {type}"

# Imported once for all pages and scripts; the last by the first step of an optimizer.
preloaded_modules = ["torch", "matplotlib.pyplot", "linreg_tutorial", "torch._dynamo"]

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autosummary_ignore_module_all = False
napoleon_google_docstring = False

sphinx_gallery_conf = {
    "examples_dirs": "../gallery",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"__init__\.py",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "image_scrapers": ("figures.scrape",),
    "reset_modules": ("figures.reset_matplotlib",),
    "reset_argv": "records.arguments",
    "doc_module": ("linreg_tutorial",),
    "backreferences_dir": "gallery/backreferences",
    "reference_url": {"linreg_tutorial": None},
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_signature": False,
    "min_reported_time": 1e9,
    "write_computation_times": False,
}

html_theme = "furo"
html_static_path = ["_static"]
# The second for pages that print on one sheet; lean_pages leaves it out of all others.
html_css_files = ["site.css", "sheet.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"top_of_page_buttons": ["edit"]}

copybutton_selector = ".run-it pre, .program pre, .stub pre, " + ", ".join(
    f"div.{code} pre"
    for code in ("cell_input", "highlight-Python", "highlight-default", "highlight-console")
)
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
