"""The same rows in Flask-Admin over SQLAlchemy: those that wait, oldest first. A signed cookie says who is signed in."""

import os

from flask import Flask, session
from flask.sessions import SecureCookieSessionInterface
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from flask_admin.contrib.sqla.filters import FilterEqual
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import joinedload

application = Flask(__name__)
application.config.update(SECRET_KEY="only-for-a-measurement", SQLALCHEMY_DATABASE_URI=f"sqlite:///{os.environ['ROWS_DATABASE']}")
db = SQLAlchemy(application)


class Job(db.Model):
    __tablename__ = "job"
    id, number, name = db.Column(db.Integer, primary_key=True), db.Column(db.String), db.Column(db.String)


class Vendor(db.Model):
    __tablename__ = "vendor"
    id, name, code = db.Column(db.Integer, primary_key=True), db.Column(db.String), db.Column(db.String)


class Person(db.Model):
    __tablename__ = "user"
    id, name = db.Column(db.Integer, primary_key=True), db.Column(db.String)


class Commitment(db.Model):
    __tablename__ = "commitment"
    id, number = db.Column(db.Integer, primary_key=True), db.Column(db.String)
    job_id, vendor_id = db.Column(db.ForeignKey("job.id")), db.Column(db.ForeignKey("vendor.id"))
    job, vendor = db.relationship(Job), db.relationship(Vendor)


class ChangeOrder(db.Model):
    __tablename__ = "change_order"
    id, number, title = db.Column(db.Integer, primary_key=True), db.Column(db.String), db.Column(db.String)
    status, amount, sent_at = db.Column(db.String), db.Column(db.Integer), db.Column(db.String)
    commitment_id, sent_by_id = db.Column(db.ForeignKey("commitment.id")), db.Column(db.ForeignKey("user.id"))
    commitment, sent_by = db.relationship(Commitment), db.relationship(Person)


class ChangeOrders(ModelView):
    column_list = ("number", "title", "job", "commitment", "vendor", "amount", "sent_by", "sent_at")
    column_formatters = {
        "job": lambda view, context, one, name: f"{one.commitment.job.number} {one.commitment.job.name}",
        "commitment": lambda view, context, one, name: one.commitment.number,
        "vendor": lambda view, context, one, name: f"{one.commitment.vendor.name} {one.commitment.vendor.code}",
        "sent_by": lambda view, context, one, name: one.sent_by.name,
    }
    column_filters = (FilterEqual(ChangeOrder.status, "Status"),)
    column_default_sort = [("sent_at", False), ("id", False)]
    column_sortable_list = ()
    page_size, can_create = 50, False

    def is_accessible(self):
        return "person" in session

    def get_query(self):
        commitment = joinedload(ChangeOrder.commitment)
        return (
            super()
            .get_query()
            .options(commitment.joinedload(Commitment.job), commitment.joinedload(Commitment.vendor), joinedload(ChangeOrder.sent_by))
        )


admin = Admin(application, name="Rows")
admin.add_view(ChangeOrders(ChangeOrder, db.session, endpoint="rows", url="rows"))

if __name__ == "__main__":
    serializer = SecureCookieSessionInterface().get_signing_serializer(application)
    print(f"session={serializer.dumps({'person': 1})}")
