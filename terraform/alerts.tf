resource "google_monitoring_notification_channel" "email" {
  display_name = "Agent Builder's operator"
  type         = "email"
  labels       = { email_address = var.alert_email }
}

# What a service could not handle it keeps as a letter, and says so in its log.
resource "google_logging_metric" "letters" {
  name        = "agentbuilder/dead_letters"
  description = "Events that a service gave up on; GET /api/v1/dead-letters lists them with their reasons."
  filter      = "resource.type=\"cloud_run_revision\" AND jsonPayload.message:\"dead letter for \""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
}

# Each has one condition. over: a measured value passes `limit`; of: it is a share of this. query: PromQL on the code's
# own numbers (docs/metrics.md). silent: nothing is measured at all.
locals {
  alerts = {
    letters = {
      says = "A service gave up on an event"
      do   = "List them with GET /api/v1/dead-letters, mend the cause, replay them."
      over = {
        filter  = "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.letters.name}\""
        aligner = "ALIGN_DELTA"
        limit   = 0
        lasts   = "0s"
        period  = "60s"
      }
    }
    dead = {
      says = "Messages lie in a dead-letter topic"
      do   = "A service did not answer for an hour. Its log says why; `gcloud pubsub subscriptions pull dead.<service>` shows what."
      over = {
        filter  = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = starts_with(\"dead.\") AND metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\""
        aligner = "ALIGN_MAX"
        limit   = 0
        lasts   = "0s"
        period  = "60s"
      }
    }
    backlog = {
      says = "Events wait for ten minutes"
      do   = "The reader is down, or too small: see its instances and its error rate."
      over = {
        filter  = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = monitoring.regex.full_match(\"[a-z]+[.][a-z]+\") AND metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
        aligner = "ALIGN_MAX"
        limit   = 600
        lasts   = "300s"
        period  = "60s"
      }
    }
    errors = {
      says = "More than one request in fifty fails"
      do   = "The service's log names the error. 503 to a push alone is an early event, and passes."
      over = {
        filter  = "resource.type = \"cloud_run_revision\" AND metric.type = \"run.googleapis.com/request_count\" AND metric.labels.response_code = monitoring.regex.full_match(\"50[0124]\")"
        of      = "resource.type = \"cloud_run_revision\" AND metric.type = \"run.googleapis.com/request_count\""
        aligner = "ALIGN_RATE"
        limit   = 0.02
        lasts   = "300s"
        period  = "300s"
      }
    }
    spend = {
      says  = "Models cost more than a day may"
      do    = "GET /api/v1/usage?by=agent says whose; the caps of plans and agents hold in any case."
      query = "sum(increase(ab_model_cost_usd_micros_total[1d])) > ${var.day_model_usd * 1000000}"
    }
    given_up = {
      says  = "Many events are given up or come again"
      do    = "The services' logs name the errors; a few that come again are early and pass."
      query = "sum(increase(ab_events_total{verdict!=\"ack\"}[10m])) > 0.05 * sum(increase(ab_events_total[10m]))"
    }
    deaf = {
      says  = "A service does not hear the tick"
      do    = "Its subscription clock.<service> stands, or it answers none: see its log."
      query = "sum by (service) (increase(ab_ticks_total[10m])) < 1"
    }
    runs = {
      says  = "More than half of the runs fail"
      do    = "One cause for many: the sandbox, the network, a model. The runs' reasons say which."
      query = "sum(increase(ab_runs_total{status=\"failed\"}[30m])) > 10 and sum(increase(ab_runs_total{status=\"failed\"}[30m])) > 0.5 * sum(increase(ab_runs_total[30m]))"
    }
    tick = {
      says   = "No tick for five minutes"
      do     = "Nothing fires on time and nothing is swept. Look at the Cloud Scheduler job ab-tick and who may publish to agentbuilder-clock."
      silent = "resource.type = \"pubsub_topic\" AND resource.labels.topic_id = \"agentbuilder-clock\" AND metric.type = \"pubsub.googleapis.com/topic/send_message_operation_count\""
    }
  }
}

resource "google_monitoring_alert_policy" "this" {
  for_each = local.alerts

  display_name          = "Agent Builder: ${each.value.says}"
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.email.id]

  documentation {
    content   = each.value.do
    mime_type = "text/markdown"
  }

  conditions {
    display_name = each.value.says

    dynamic "condition_threshold" {
      for_each = try([each.value.over], [])
      iterator = over
      content {
        filter             = over.value.filter
        denominator_filter = try(over.value.of, null)
        comparison         = "COMPARISON_GT"
        threshold_value    = over.value.limit
        duration           = over.value.lasts

        aggregations {
          alignment_period     = over.value.period
          per_series_aligner   = over.value.aligner
          cross_series_reducer = "REDUCE_SUM"
          group_by_fields      = can(over.value.of) ? ["resource.labels.service_name"] : null
        }

        dynamic "denominator_aggregations" {
          for_each = can(over.value.of) ? [over.value] : []
          iterator = whole
          content {
            alignment_period     = whole.value.period
            per_series_aligner   = whole.value.aligner
            cross_series_reducer = "REDUCE_SUM"
            group_by_fields      = ["resource.labels.service_name"]
          }
        }
      }
    }

    dynamic "condition_prometheus_query_language" {
      for_each = try([each.value.query], [])
      iterator = asked
      content {
        query               = asked.value
        duration            = "300s"
        evaluation_interval = "60s"
      }
    }

    dynamic "condition_absent" {
      for_each = try([each.value.silent], [])
      iterator = silent
      content {
        filter   = silent.value
        duration = "300s"

        aggregations {
          alignment_period   = "60s"
          per_series_aligner = "ALIGN_RATE"
        }
      }
    }
  }
}

# Says, stops nothing: what must not be passed are the caps of the ledger.
resource "google_billing_budget" "month" {
  billing_account = var.billing_account
  display_name    = "Agent Builder, a month"

  budget_filter {
    projects               = ["projects/${data.google_project.this.number}"]
    calendar_period        = "MONTH"
    credit_types_treatment = "INCLUDE_ALL_CREDITS"
  }

  amount {
    specified_amount {
      currency_code = var.month_budget.currency
      units         = var.month_budget.units
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }

  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = [google_monitoring_notification_channel.email.id]
  }

  depends_on = [google_project_service.needed]
}
