"""A small bookshop."""

from bookshop.books import BOOKS as BOOKS
from bookshop.books import Book as Book
