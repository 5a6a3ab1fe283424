"""The client for asyncio. The blocking one in `_sync` is generated from here."""
