r"""The exercises of a page, as they stand in its text.

They are the section “Exercises” of a course page. Its first code cell is what all
of them start from; then each exercise is a row of blocks::

    :::{exercise} One dot only
    :name: one-dot
    What is the slope along `a` at the left dot alone?
    :::

    :::{hint}
    Page 3 measured how fast y moves with `a`.
    :::

    ```{code-cell}
    :tags: [solution]

    ### BEGIN SOLUTION
    along_a = 2 * (y[0] - t[0]) * x[0]
    ### END SOLUTION
    ```

    :::{predict} along_a
    Sign `-along_a`
    : The line is too low here, so raising `a` lowers the error.
    :::

    :::{solution}
    The miss is −2, twice that is −4, and x is 1.
    :::

The solution is the source. What a reader is given to fill in is the same cell with
dots between the two marks, or with dots only where there are no marks (`stub_of`).
An exercise is checked by a number that the reader predicts, ``{predict}``, or by a
code cell with the tag ``check`` below the solution, which raises an AssertionError
that says what is not right yet.

Imports nothing of Sphinx: the page, the notebooks and the tests read it alike.
"""

import json
import re
import textwrap
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.colon_fence import colon_fence_plugin

_HEADING = "## Exercises"
_MARKED = re.compile(
    r"^(?P<indent>[ ]*)### BEGIN SOLUTION\n(?P<code>.*?)^[ ]*### END SOLUTION\n",
    flags=re.MULTILINE | re.DOTALL,
)
_MISTAKE = re.compile(r"^(?P<name>\S.*?) `(?P<expression>[^`]+)`\n: ", flags=re.MULTILINE)
_PREDICT = re.compile(
    r"^(?P<fence>:{3,})\{predict\} *(?P<answer>.*)\n(?P<body>(?:.*\n)*?)(?P=fence)$",
    flags=re.MULTILINE,
)
_SOLUTION = re.compile(
    r"^(?P<head>```\{code-cell\}\n:tags: \[solution\]\n\n)(?P<code>.*?)^```$",
    flags=re.MULTILINE | re.DOTALL,
)
# No blank behind the dots: with one, the copy buttons take them for a prompt of Python's.
DOTS = "# your code\n..."
_OPTION = re.compile(r"^:(?P<name>[\w-]+): *(?P<value>.*)\n?", flags=re.MULTILINE)
_DIRECTIVE = re.compile(r"\{(?P<name>[\w-]+)\} *(?P<argument>.*)")


class ExerciseError(ValueError):
    """What is wrong in a page's exercises, with its line."""


@dataclass
class Mistake:
    """A wrong answer that many give: how it comes about, and the number that it gives."""

    name: str
    expression: str
    text: str


@dataclass
class Prediction:
    """A number that the reader predicts: its expression, and the wrong ones that are known."""

    expression: str
    mistakes: list[Mistake]


@dataclass
class Exercise:
    """One exercise. The lists hold code."""

    number: int
    name: str
    title: str
    question: str
    hint: str = ""
    given: list[str] = field(default_factory=list)
    solution: list[str] = field(default_factory=list)
    explanation: str = ""
    checks: list[str] = field(default_factory=list)
    prediction: Prediction | None = None


@dataclass
class Section:
    """All exercises of a page: the code they start from, and in which lines they stand."""

    given: list[str]
    exercises: list[Exercise]
    first_line: int
    end_line: int


def read_section(text: str, page: str = "") -> Section | None:
    """Return the exercises of a page's text; None where it has none.

    Parameters
    ----------
    text
        The page's MyST Markdown.
    page
        Its name, for messages.

    Raises
    ------
    ExerciseError
        If a block is missing, stands at the wrong place, or is of no kind that is known.
    """
    lines = text.splitlines(keepends=True)
    starts = [n for n, line in enumerate(lines) if line == f"{_HEADING}\n"]
    if not starts:
        return None
    start = starts[0]
    blocks, end = _blocks(lines, start + 1, page)
    if not any(kind == "exercise" for _, kind, _, _ in blocks):
        return None
    section = Section([], [], start, end)
    for line, kind, argument, body in blocks:
        place = f"{page}:{line + 1}"
        options, content = _options(body)
        tags = re.findall(r"[\w-]+", options.get("tags", "")) if kind == "code-cell" else []
        if kind == "exercise":
            _begin(section, place, argument, options, content)
        elif not section.exercises:
            if "given" not in tags:
                raise ExerciseError(f"{place}: only a code cell tagged given comes before them all")
            section.given.append(content)
        else:
            _add(section.exercises[-1], place, kind, argument, options, content, tags)
    for exercise in section.exercises:
        _check_whole(exercise, page)
    names = [exercise.name for exercise in section.exercises]
    if len(set(names)) < len(names):
        raise ExerciseError(f"{page}: two exercises have the same name: {names}")
    return section


def stub_of(code: str) -> str:
    r"""Return the code of a solution with dots in the place of what the reader writes.

    >>> print(stub_of("def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"))
    def f(x):
        # your code
        ...
    >>> print(stub_of("x = 1\n### BEGIN SOLUTION\ny = 2 * x\n### END SOLUTION\nprint(x)\n"))
    x = 1
    # your code
    ...
    print(x)
    """
    code += "\n"
    if not _MARKED.search(code):
        return DOTS
    return _MARKED.sub(lambda m: textwrap.indent(f"{DOTS}\n", m["indent"]), code).strip()


def solved(code: str) -> str:
    r"""Return the code of a solution without its marks.

    >>> print(solved("def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n"))
    def f(x):
        return x
    """
    return _MARKED.sub(lambda m: m["code"], code + "\n").strip()


def for_the_site(text: str, prompts: dict[str, str]) -> str:
    """Return a page's text as the site builds it.

    The solutions lose their marks, and above them stands what is to be filled in. The
    checks are hidden, the code that all start from says what it is, and below each
    prediction a cell is added that works out the right number and those of the
    mistakes.

    Parameters
    ----------
    text
        The page's MyST Markdown, with or without exercises.
    prompts
        What is written on the fold of the first code cell, as myst-nb calls it.
    """
    before, heading, section = text.partition(f"\n{_HEADING}\n")
    section = _SOLUTION.sub(_with_stub, section)
    section = section.replace("\n:tags: [check]\n", "\n:tags: [remove-cell]\n")
    first = "\n:tags: [given, hide-input]\n"
    section = section.replace(first, f"{first}:mystnb: {json.dumps(prompts)}\n", 1)
    return before + heading + _PREDICT.sub(_with_values, section)


def without_exercises(text: str) -> str:
    """Return a page's text without the section of its exercises."""
    section = read_section(text)
    if section is None:
        return text
    lines = text.splitlines(keepends=True)
    return "".join(lines[: section.first_line] + lines[section.end_line :])


def _with_stub(match: re.Match) -> str:
    stub = stub_of(match["code"])
    cell = f"{match['head']}{solved(match['code'])}\n```"
    if stub == DOTS:
        return cell
    return f"```{{code-block}} python\n:class: stub\n\n{stub}\n```\n\n{cell}"


def _with_values(match: re.Match) -> str:
    expressions = [mistake["expression"] for mistake in _MISTAKE.finditer(match["body"])]
    cell = [
        match[0],
        "",
        "```{code-cell}",
        ":tags: [remove-input]",
        "",
        "from exercise_values import show as _show",
        f"_show({', '.join([match['answer'], *expressions])})",
        "```",
    ]
    return "\n".join(cell)


def _blocks(lines: list[str], start: int, page: str) -> tuple[list[tuple[int, str, str, str]], int]:
    """Return the directives below the heading, and the line at which the section ends."""
    found = []
    for token in _top(MarkdownIt("commonmark").use(colon_fence_plugin), "".join(lines[start:])):
        line = start + token.map[0]
        directive = _DIRECTIVE.match(token.info)
        if token.type in ("fence", "colon_fence") and directive:
            found.append((line, directive["name"], directive["argument"].strip(), token.content))
        elif token.type == "heading_open" or lines[line].startswith("**Next"):
            return found, line
        elif any(kind == "exercise" for _, kind, _, _ in found):
            raise ExerciseError(
                f"{page}:{line + 1}: text between the blocks of an exercise: put it into one"
            )
    return found, len(lines)


def _top(parser: MarkdownIt, text: str) -> list[Token]:
    return [token for token in parser.parse(text) if token.level == 0 and token.map]


def _options(body: str) -> tuple[dict[str, str], str]:
    options = {}
    while option := _OPTION.match(body):
        options[option["name"]] = option["value"].strip()
        body = body[option.end() :]
    return options, body.strip("\n")


def _begin(section: Section, place: str, title: str, options: dict, content: str) -> None:
    if not title or not re.fullmatch(r"[a-z0-9-]+", options.get("name", "")) or not content:
        raise ExerciseError(
            f"{place}: an exercise needs a title, a :name: of a-z, 0-9 and -, and a question"
        )
    exercise = Exercise(len(section.exercises) + 1, options["name"], title, content)
    section.exercises.append(exercise)


def _add(
    exercise: Exercise,
    place: str,
    kind: str,
    argument: str,
    options: dict,
    content: str,
    tags: list[str],
) -> None:
    if kind == "hint":
        exercise.hint = content
    elif kind == "solution":
        exercise.explanation = content
    elif kind == "predict":
        if not exercise.solution:
            raise ExerciseError(f"{place}: a number is predicted below the solution's code")
        mistakes = _mistakes(content, place)
        if not options.get("decimals", "0").isdecimal():
            raise ExerciseError(f"{place}: :decimals: says how many decimals, such as 2")
        exercise.prediction = Prediction(argument, mistakes)
    elif kind == "code-cell" and "given" in tags:
        exercise.given.append(content)
    elif kind == "code-cell" and "solution" in tags:
        exercise.solution.append(content)
    elif kind == "code-cell" and tags == ["check"]:
        exercise.checks.append(content)
    else:
        raise ExerciseError(f"{place}: {kind} {tags} is no part of an exercise")


def _mistakes(content: str, place: str) -> list[Mistake]:
    found = list(_MISTAKE.finditer(content))
    texts = re.findall(r"^: ", content, flags=re.MULTILINE)
    if content and (len(found) != len(texts) or not found or found[0].start() > 0):
        raise ExerciseError(f"{place}: a mistake is a name, its `expression`, below it “: text”")
    ends = [mistake.start() for mistake in found[1:]] + [len(content)]
    return [
        Mistake(m["name"], m["expression"], content[m.end() : end].strip())
        for m, end in zip(found, ends, strict=True)
    ]


def _check_whole(exercise: Exercise, page: str) -> None:
    missing = [
        what
        for what, there in (
            ("a hint", exercise.hint),
            ("a code cell tagged solution", exercise.solution),
            ("a solution in words", exercise.explanation),
            (
                "either a prediction or a code cell tagged check",
                bool(exercise.prediction) != bool(exercise.checks),
            ),
        )
        if not there
    ]
    if missing:
        raise ExerciseError(f"{page}: the exercise {exercise.name} lacks {', '.join(missing)}")
