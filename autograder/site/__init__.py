"""The lesson in a browser: read, play, practise, review, see how one's files stand. Served here alone, or written as files.

    text.py        an author's Markdown as HTML, formulas as MathML
    lesson.py      a lesson as sections, with what there is to play with in its places
    guard.py       who is let in: this machine's own browser, with the address that was given
    app.py         which address shows what; start here
    live.py        frames of a lesson's own process, one at a time, the rest wait in line
    roll.py        a class as far as it is graded, in pages
    leaving.py     the same as files for any web server

It knows no diffusion: what moves in a page lies in the lesson's `widgets/`. It marks nothing itself: `questions` does.
Whatever a student wrote reaches a page through a template that escapes it, never as HTML.
"""
