"""Which test has which hand example of the specification of methods, scores, metrics and tasks (``methods2.md``)."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from unlearn_core.discovery.fusion import ranking_quality

TESTS = Path(__file__).parents[1]
WHERE = {
    "2.1 Newton step": "methods/test_label_influence.py::test_a_newton_step_is_the_optimum_of_the_corrected_data",
    "2.1 deletion": "methods/test_label_influence.py::test_deleting_is_the_same_without_the_right_label_s_term",
    "2.1 LiSSA": "methods/test_label_influence.py::test_the_recursion_solves_with_the_damped_curvature",
    "2.1 first-order step": "methods/test_label_influence.py::test_a_first_order_step_of_a_tenth",
    "2.1 what to expect of correction": "methods/test_right_labels.py::"
    "test_correcting_labels_heals_what_was_corrected_and_hardly_anything_else",
    "2.2 CUTS": "methods/test_directions.py::test_the_opposite_of_what_was_learned",
    "2.2 NegMerge, agreement": "methods/test_directions.py::test_what_copies_agree_on",
    "2.2 agreement of neighbours": "methods/test_neighbours.py::test_agreement_beyond_chance_by_hand",
    "2.2b two-sided": "methods/test_directions.py::test_between_two_copies_the_drift_that_they_share_cancels",
    "2.2b last phase": "methods/test_right_labels.py::test_the_last_phase_reads_nothing_but_f_and_moves_no_statistics",
    "2.3 TARF, gate": "methods/test_tarf.py::test_what_lost_most_with_f_is_held_back",
    "2.3 TARF, k(t)": "methods/test_tarf.py::test_the_raised_loss_fades_out",
    "2.4 PGU, projection": "methods/test_pgu.py::test_the_kept_direction_by_hand",
    "2.4 PGU, loss": "methods/test_pgu.py::test_the_loss_by_hand",
    "2.5 L2UL, prices": "methods/test_l2ul.py::test_importances_become_prices",
    "2.5 L2UL, loss": "methods/test_l2ul.py::test_the_two_losses_count_by_their_examples",
    "2.6 SAP": "methods/test_checked_by_hand.py::test_how_much_of_a_direction_passes",
    "2.7 data models": "methods/test_data_model_matching.py::test_the_effect_of_an_example_by_hand",
    "2.8 distance": "methods/test_weight_distance.py::test_the_distance_is_the_root_of_the_mean_square",
    "2.9 fine-pruning": "methods/test_checked_by_hand.py::test_two_channels_are_pruned",
    "2.10 ANP": "methods/test_checked_by_hand.py::test_masks_are_made_of_zeros_and_ones",
    "2.11 FT-SAM": "methods/test_ft_sam.py::test_the_step_to_the_worst_weights",
    "2.12 I-BAU": "methods/test_checked_by_hand.py::test_a_fixed_point_after_five_iterations",
    "2.13 CLP": "methods/test_checked_by_hand.py::test_thresholds_of_a_layer",
    "3.2 AUM": "discovery/test_scores.py::test_the_area_under_the_margin_is_the_mean_of_the_margins",
    "3.3 learning time, forgetting": "discovery/test_scores.py::test_learning_time_and_forgetting_count_epochs",
    "3.4 cartography": "discovery/test_scores.py::test_a_data_map_has_a_height_a_breadth_and_a_corner",
    "3.5 EL2N, GraNd": "discovery/test_scores.py::test_the_length_of_an_error_and_of_a_gradient",
    "3.6 early cutting": "discovery/test_scores.py::test_what_is_cut_has_a_high_loss_high_confidence_and_a_short_gradient",
    "3.8 spectral signature": "discovery/test_scores.py::test_the_spectral_signature_centres_before_it_projects",
    "3.9 influence": "discovery/test_scores.py::test_influence_is_the_product_of_the_last_layers_gradients",
    "3.10 held-out memorisation": "discovery/test_scores.py::test_memorised_is_what_only_seeing_an_example_taught",
    "3.10 difference in differences": "evaluation/test_traces.py::"
    "test_what_untreated_controls_take_away_from_memorisation_by_hand",
    "3.11 at a budget": "methods/test_hand_examples.py::test_what_is_found_at_a_budget",
    "4.1 KLoM, log-odds": "evaluation/test_membership.py::test_log_odds_by_hand",
    "4.1 KLoM, bins": "evaluation/test_margins.py::test_two_bins_by_hand",
    "4.1 KLoM, normals": "evaluation/test_margins.py::test_normals_by_hand",
    "4.2 ToW": "evaluation/test_flips_and_distances.py::test_tug_of_war_by_hand",
    "4.3 flips": "evaluation/test_flips_and_distances.py::test_flips_by_hand",
    "4.4 relearning": "evaluation/test_returning.py::test_return_and_area_by_hand",
    "4.5 barrier (and 2.8)": "evaluation/test_returning.py::test_the_barrier_by_hand",
    "4.6 noise canaries": "evaluation/test_traces.py::test_the_score_of_a_canary_by_hand",
    "4.7 interclass confusion": "evaluation/test_flips_and_distances.py::test_interclass_confusion_by_hand",
    "4.8 calibration": "evaluation/test_flips_and_distances.py::test_calibration_by_hand",
    "4.8 worst group": "evaluation/test_kinds_metrics.py::test_a_group_counts_from_ten_examples_on",
    "4.9 recovered share": "evaluation/test_flips_and_distances.py::"
    "test_the_recovered_share_by_hand_and_not_where_there_is_nothing_to_recover",
    "4.10 likelihood attack": "evaluation/test_traces.py::test_the_likelihood_score_by_hand",
    "4.11 weight distances": "evaluation/test_flips_and_distances.py::"
    "test_a_rewriting_that_changes_no_output_changes_the_weight_distance_and_no_functional_metric",
    "5.1 blended": "corruption/test_trigger_kinds.py::test_a_blended_picture_is_mixed_in_by_its_share",
    "5.2 sinusoid": "corruption/test_trigger_kinds.py::test_waves_have_the_published_heights",
    "5.3 warp": "corruption/test_trigger_kinds.py::test_a_bend_moves_pixels_as_far_as_its_field_says",
    "5.5 instance-dependent": "corruption/test_kinds.py::test_flip_probabilities_by_hand",
    "5.6 spurious attribute": "corruption/test_kinds.py::test_a_spurious_attribute_goes_with_its_class_as_often_as_rho_says",
    "8 ELR term": "methods/test_robust_retrain.py::test_the_term_by_hand",
}
"""The examples and their tests; ``methods2.md`` has no others."""


def test_what_is_found_at_a_budget() -> None:
    """Scores 0.9, 0.8, 0.3, 0.2 of which the first and the third are corrupted: half found of two, average precision 0.833."""
    found = ranking_quality(np.array([0.9, 0.8, 0.3, 0.2]), np.array([True, False, True, False]))
    assert found["precision_at_k"] == 0.5
    assert found["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["auc"] == 0.75


def test_every_hand_example_has_its_test() -> None:
    functions = {
        path: {node.name for node in ast.walk(ast.parse((TESTS / path).read_text())) if isinstance(node, ast.FunctionDef)}
        for path in {place.partition("::")[0] for place in WHERE.values()}
    }
    gone = {what: place for what, place in WHERE.items() if place.partition("::")[2] not in functions[place.partition("::")[0]]}
    assert gone == {}
