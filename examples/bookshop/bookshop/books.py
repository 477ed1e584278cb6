"""The books that the shop sells."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Book:
    isbn: str
    title: str
    author: str
    cents: int


BOOKS = (
    Book("9780141439587", "Emma", "Jane Austen", 990),
    Book("9780141439563", "Great Expectations", "Charles Dickens", 1150),
    Book("9780141439471", "Frankenstein", "Mary Shelley", 850),
    Book("9780141439518", "Pride and Prejudice", "Jane Austen", 990),
)
