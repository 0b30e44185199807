"""The student's workspace: start, check, practise, submit. `review/` is flashcards."""
