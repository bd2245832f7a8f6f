"""The street door: public pages, the JSON API, the keeper's page."""
