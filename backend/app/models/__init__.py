"""The tables, as SQLAlchemy maps them. The schema itself is made by the migrations."""
