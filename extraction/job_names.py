"""The names of the jobs of batches, by which those who queue them know them."""

WORK_ON_ITEM = "work_on_batch_item"
EXCHANGE = "exchange_message_batches"
