"""The routers, one module an area; `app.main` lists them."""
