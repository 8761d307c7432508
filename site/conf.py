"""How Sphinx makes the site of the pages that lessons.py has written. Nothing runs, and no page
asks another host for anything: formulas, fonts and search are files of the site."""

project = "From PCA to Autoencoders"
html_title = project
language = "en"
extensions = ["myst_nb", "sphinx-mathjax-offline"]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_dmath_double_inline = True  # $$ in the middle of a paragraph, as JupyterLab takes it

nb_execution_mode = "off"
nb_ipywidgets_js = {}  # sliders that need a kernel are pictures here
nb_code_prompt_show = "The cell that fetches the course on Colab"  # the only one that is hidden

html_theme = "sphinx_book_theme"
html_favicon = "icon.svg"
html_theme_options = {
    "home_page_in_toc": True,
    "show_toc_level": 2,
    "use_download_button": False,  # each page has a link to its notebook as it is stored
    "use_fullscreen_button": False,
    "navbar_persistent": [],  # the search stands in the side bar
    "footer_content_items": ["extra-footer"],
    "extra_footer": "Code MIT, texts and figures CC BY 4.0.",
}
html_context = {"default_mode": "auto"}  # light or dark, as the reader has set the device
html_static_path = ["style.css", ".work/pictures"]
html_css_files = ["style.css"]
html_extra_path = [".work/notebooks"]
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # a summary would fetch each page that is found, megabytes each
html_use_index = False
