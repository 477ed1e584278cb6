"""From a document to a plan of what may run at the same time: what is asked, and what an answer is worth."""
