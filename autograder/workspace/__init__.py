"""The student's side: a folder with starters, checked at home, practised in, packed for handing in.

`places` knows the folder, `starting` fills it, `state` remembers what was done in it, `checking` runs the public checks,
`again` repeats the call that failed, `hinting` opens hints, `practising` asks questions, `submitting` packs, `progress`
counts. It never overwrites a student's work, and prints nothing: the command line does.
"""
