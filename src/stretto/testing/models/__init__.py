"""A model server for tests: on loopback, scripted by the prompts that it is asked with.

script        the language of scripts
conversation  what is asked and answered, in words that all wire formats share
play          what the model does next
ledger        what is remembered between requests: attempts, counts, limits, the prompt cache
answering     a request becomes an answer, or trouble
anthropic     the Messages format; further formats stand beside it
log           the requests, for tests to look at
server        HTTP; `ModelServer` for tests, `python -m stretto.testing.models` for everybody else
"""
