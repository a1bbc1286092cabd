# Names as in shared/bus/pubsub.py: topic agentbuilder-<subject>, subscription <subject>.<service>.
resource "google_pubsub_topic" "this" {
  name         = "agentbuilder-${var.name}"
  labels       = var.labels
  kms_key_name = var.kms_key

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = var.publishers

  topic  = google_pubsub_topic.this.id
  role   = "roles/pubsub.publisher"
  member = each.value
}

resource "google_pubsub_subscription" "push" {
  for_each = var.subscribers

  name                       = "${var.name}.${each.key}"
  topic                      = google_pubsub_topic.this.id
  labels                     = var.labels
  ack_deadline_seconds       = 60
  message_retention_duration = "604800s" # a week: longer than anybody lets a service be down
  enable_message_ordering    = false     # decision 18

  push_config {
    push_endpoint = "${each.value.url}/events"

    oidc_token {
      service_account_email = each.value.push_account
      audience              = each.value.url
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "60s"
  }

  # The service gives up by itself ten minutes after it first saw an event, which is about 15 tries. This is for what it
  # never answers: 60 tries are an hour.
  dead_letter_policy {
    dead_letter_topic     = each.value.dead_topic
    max_delivery_attempts = 60
  }

  expiration_policy {
    ttl = "" # never
  }
}

# Pub/Sub acknowledges in the subscription what it has put into the dead-letter topic.
resource "google_pubsub_subscription_iam_member" "dead_letters" {
  for_each = google_pubsub_subscription.push

  subscription = each.value.id
  role         = "roles/pubsub.subscriber"
  member       = var.pubsub_agent
}
