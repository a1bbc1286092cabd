resource "google_firestore_database" "this" {
  name                              = var.name
  location_id                       = var.location
  type                              = "FIRESTORE_NATIVE"
  database_edition                  = "STANDARD"
  concurrency_mode                  = "OPTIMISTIC" # one commit is one batch with preconditions (decision 2)
  point_in_time_recovery_enablement = var.protect ? "POINT_IN_TIME_RECOVERY_ENABLED" : "POINT_IN_TIME_RECOVERY_DISABLED"
  delete_protection_state           = var.protect ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.protect ? "ABANDON" : "DELETE"
}

resource "google_firestore_backup_schedule" "daily" {
  count = var.protect ? 1 : 0

  database  = google_firestore_database.this.name
  retention = "604800s"

  daily_recurrence {}
}

resource "google_firestore_index" "this" {
  for_each = {
    for index in var.indexes :
    join(".", concat([index.collection], [for field in index.fields : "${field.path}-${lower(field.order)}"])) => index
  }

  database    = google_firestore_database.this.name
  collection  = each.value.collection
  query_scope = "COLLECTION"

  dynamic "fields" {
    for_each = each.value.fields
    content {
      field_path = fields.value.path
      order      = fields.value.order
    }
  }
}

resource "google_firestore_field" "expiring" {
  for_each = var.expiring

  database   = google_firestore_database.this.name
  collection = each.key
  field      = each.value

  ttl_config {}

  # Nobody asks for it, and an index on rising times would bound how fast the collection may be written to.
  index_config {}
}

resource "google_firestore_field" "unindexed" {
  for_each = merge([
    for collection, fields in var.unindexed : {
      for field in fields : "${collection}.${field}" => { collection = collection, field = field }
    }
  ]...)

  database   = google_firestore_database.this.name
  collection = each.value.collection
  field      = each.value.field

  index_config {}
}

resource "google_project_iam_member" "owner" {
  project = var.project
  role    = "roles/datastore.user"
  member  = var.owner

  condition {
    title      = "database ${var.name}"
    expression = "resource.name == \"projects/${var.project}/databases/${var.name}\""
  }
}

resource "google_project_iam_member" "reader" {
  for_each = var.readers

  project = var.project
  role    = "roles/datastore.viewer"
  member  = each.value

  condition {
    title      = "database ${var.name}, reading"
    expression = "resource.name == \"projects/${var.project}/databases/${var.name}\""
  }
}
