"""The names of the jobs of batches, for the code that queues them."""

WORK_ON_ITEM = "work_on_batch_item"
EXCHANGE = "exchange_message_batches"
