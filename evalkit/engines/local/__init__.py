"""The embedded engine: transformers models with peft adapters and bitsandbytes quantisation."""
