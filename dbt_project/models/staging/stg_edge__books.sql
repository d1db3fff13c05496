select
    id as book_id,
    key as book,
    title,
    array_position(
        array[
            {% for book in var('reference_books') -%}
                '{{ book }}'{{ ',' if not loop.last }}
            {% endfor -%}
        ],
        key
    ) as reference_rank
from {{ source('edge', 'books') }}
