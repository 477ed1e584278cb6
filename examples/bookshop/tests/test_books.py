import unittest

from bookshop import BOOKS


class Books(unittest.TestCase):
    def test_every_isbn_has_its_check_digit(self):
        for book in BOOKS:
            digits = [int(digit) for digit in book.isbn]
            self.assertEqual(sum(digits[::2] + 3 * digits[1::2]) % 10, 0, book.title)

    def test_nothing_is_for_free(self):
        self.assertTrue(all(book.cents > 0 for book in BOOKS))
