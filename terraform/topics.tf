# One dead-letter topic for each reader: what it could not even answer, after all tries. What it answered and could not
# handle is a letter in its own database, with the reason (decision 36).
resource "google_pubsub_topic" "dead" {
  for_each = local.services

  name                       = "agentbuilder-dead-${each.key}"
  labels                     = local.labels
  kms_key_name               = google_kms_crypto_key.data.id
  message_retention_duration = "2678400s" # 31 days, the longest there is

  depends_on = [google_kms_crypto_key_iam_member.pubsub]
}

resource "google_pubsub_subscription" "dead" {
  for_each = local.services

  name                       = "dead.${each.key}"
  topic                      = google_pubsub_topic.dead[each.key].id
  labels                     = local.labels
  ack_deadline_seconds       = 60
  message_retention_duration = "2678400s"

  expiration_policy {
    ttl = "" # never
  }
}

resource "google_pubsub_topic_iam_member" "dead" {
  for_each = google_pubsub_topic.dead

  topic  = each.value.id
  role   = "roles/pubsub.publisher"
  member = local.agent.pubsub
}

module "topic" {
  source   = "./modules/topic"
  for_each = local.code.topics

  name         = each.key
  labels       = local.labels
  kms_key      = google_kms_crypto_key.data.id
  pubsub_agent = local.agent.pubsub
  region       = var.region

  publishers = merge(
    { for name in each.value.publishers : name => local.publishers[name] },
    var.replay_everywhere ? { gateway = local.publishers.gateway } : {},
  )

  subscribers = {
    for name in each.value.subscribers : name => {
      url          = local.urls[name]
      push_account = google_service_account.push[name].email
      dead_topic   = google_pubsub_topic.dead[name].id
    }
  }

  depends_on = [google_kms_crypto_key_iam_member.pubsub, google_pubsub_topic_iam_member.dead]
}
