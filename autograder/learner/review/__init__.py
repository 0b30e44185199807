"""Flashcards: the review log, when a card comes back, and which card is next."""
