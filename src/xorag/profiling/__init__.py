"""What answering costs: operations, time, memory and bytes, part by part."""
