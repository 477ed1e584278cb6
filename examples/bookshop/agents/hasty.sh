# Stands in for an agent in a hurry: it forgets the total, until its prompt tells it of a red check.
if grep -q '^--- added by stretto ---' "$STRETTO_PROMPT_FILE"; then
    echo "the total is missing: adding it"
    kept=cat
else
    echo "this one is quickly done"
    kept='grep -v Total'
fi
$kept > bookshop/receipts.py << 'END'
"""What a customer is given."""

from bookshop import BOOKS
from bookshop.money import shown


def receipt(books):
    lines = [f"{book.title:24}{shown(book.cents):>8}" for book in books]
    lines.append(f"{'Total':24}{shown(sum(book.cents for book in books)):>8}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(receipt(BOOKS))
END
