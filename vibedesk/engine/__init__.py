"""The engine: plain asyncio Python, no Qt. The way in is `vibedesk.engine.engine.Engine`."""
